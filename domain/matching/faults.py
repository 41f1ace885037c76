"""What is wrong with a description that cannot be matched, said so that it can be mended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from domain.errors import AmbiguousMatch, Invalid, NoMatch, Refusal
from domain.vehicles import VehicleDescription
from domain.vocabulary import Fuel, Gearbox, fold
from domain.vocabulary.fuels import engine_hints, fuel_hints
from domain.vocabulary.readings import Reading

_QUOTED = 60
_NAMED = 3


def of_words(
    description: VehicleDescription,
    fuel: Reading[Fuel] | None,
    gearbox: Reading[Gearbox] | None,
    *,
    name: Collection[str],
) -> list[Refusal]:
    """A fuel or gearbox that is not understood, or a fuel that another field contradicts.

    Args:
        name: the words of the nearest model's name, which are no hint of anything else.
    """
    found: list[Refusal] = []
    if fuel is None:
        found.append(_unknown_fuel(description.fuel))
    elif contradiction := _contradiction(description, fuel.meaning, name):
        found.append(contradiction)
    if gearbox is None and description.gearbox and description.gearbox.strip():
        found.append(
            Invalid(
                f"gearbox {_quoted(description.gearbox)} is not understood: "
                "say manual, automatic, semi-automatic or other.",
                path=("gearbox",),
            )
        )
    return found


def _unknown_fuel(text: str) -> Refusal:
    if hints := engine_hints(fold(text).split()):
        word = hints[0][0]
        message = f"fuel {_quoted(text)} names an engine ({word}), which is no fuel for sure: say "
    else:
        message = f"fuel {_quoted(text)} is not understood: say "
    names = _either([_word(fuel) for fuel in Fuel])
    return Invalid(f"{message}{names}.", path=("fuel",))


def _contradiction(
    description: VehicleDescription, fuel: Fuel, name: Collection[str]
) -> Refusal | None:
    """A refusal where the name of an engine or fuel elsewhere does not go with the fuel given."""
    model = [word for word in fold(description.model).split() if word not in name]
    told = [("model", hint) for hint in (*engine_hints(model), *fuel_hints(model))]
    for field in ("version", "trim", "engine"):
        words = fold(getattr(description, field) or "").split()
        told += [(field, hint) for hint in engine_hints(words)]
    for field, (word, allowed) in told:
        if fuel not in allowed:
            return Invalid(
                f"fuel is {_quoted(description.fuel)}, but {_quoted(word)} in {field} does not go "
                "with it: correct one of them.",
                path=("fuel",),
            )
    return None


def no_brand(description: VehicleDescription, near: Sequence[str]) -> Refusal:
    """No model of a brand of that name."""
    told = _quoted(description.brand)
    return NoMatch(
        f"The catalogue knows no brand {told}: {_did_you_mean(near, 'brand')}", path=("brand",)
    )


def no_model(description: VehicleDescription, near: Sequence[str]) -> Refusal:
    """A known brand, or none, but no model that is close enough."""
    name = " ".join(f"{description.brand} {description.model}".split())
    if not fold(name):
        return NoMatch("Brand and model are empty: say which car it is.", path=("model",))
    return NoMatch(
        f"No model in the catalogue is close to {_quoted(name)}: {_did_you_mean(near, 'model')}",
        path=("model",),
    )


def other_fuel(name: str, fuel: Fuel, known: Iterable[Fuel]) -> Refusal:
    """A known model that nobody has seen with that fuel."""
    fuels = _either([_word(each) for each in known])
    return NoMatch(
        f"The catalogue knows the {name} as {fuels}, not as {_word(fuel)}: check fuel and model.",
        path=("fuel",),
    )


def ambiguous(description: VehicleDescription, rivals: Sequence[str]) -> Refusal:
    """Two models or more that are about equally close."""
    name = " ".join(f"{description.brand} {description.model}".split())
    return AmbiguousMatch(
        f"{_quoted(name)} may be {_either(rivals[:_NAMED])}: write the model's full name.",
        path=("model",),
    )


def _did_you_mean(near: Sequence[str], field: str) -> str:
    names = list(dict.fromkeys(near))[:_NAMED]
    return f"did you mean {_either(names)}?" if names else f"check {field}."


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _word(fuel: Fuel) -> str:
    return fuel.replace("_", "-").lower()


def _quoted(text: str) -> str:
    shown = " ".join(text[: _QUOTED * 4].split())
    shown = "".join(c for c in shown if c.isprintable())
    return f"'{shown[:_QUOTED]}…'" if len(shown) > _QUOTED else f"'{shown}'"
