import pytest

from domain.errors import AmbiguousMatch, Invalid, NoMatch, Refusals
from domain.matching import Correction, Matcher
from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox

P, D, E = Fuel.PETROL, Fuel.DIESEL, Fuel.ELECTRIC
_MODELS = {
    "Audi": ["A1", "A3", "Q3", "TT"],
    "BMW": ["1 Series", "3 Series", "X1", "X3"],
    "Citroën": ["C3", "C4", "Berlingo"],
    "Ford": ["Fiesta", "Focus", "KA", "Ka+", "C-MAX", "Grand C-MAX"],
    "Hyundai": ["I10", "i20", "Kona"],
    "Mazda": ["2", "Mazda3"],
    "Mercedes-Benz": ["A Class", "C Class", "GLC Class", "M Class", "SL CLASS", "220"],
    "Peugeot": ["208", "308", "2008"],
    "Renault": ["Clio", "Captur"],
    "Toyota": ["Yaris", "Verso", "Land Cruiser"],
    "Vauxhall": ["Mokka", "Mokka X", "Crossland X"],
    "Volkswagen": ["Golf", "Golf SV", "Polo", "Tiguan", "Tiguan Allspace", "Up"],
}


def a_catalogue() -> list[CatalogueEntry]:
    """Each model once with petrol and once with diesel; a few cars of other fuels."""
    names = [
        (brand, model, fuel) for brand in _MODELS for model in _MODELS[brand] for fuel in (P, D)
    ]
    names += [("Renault", "Zoe", E), ("Toyota", "Prius", Fuel.HYBRID)]
    return [CatalogueEntry(at, brand, model, fuel) for at, (brand, model, fuel) in enumerate(names)]


MATCHER = Matcher(a_catalogue())


def a_description(
    brand: str, model: str, fuel: str = "petrol", **given: object
) -> VehicleDescription:
    return VehicleDescription(brand, model, 2018, fuel, 50_000, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("brand", "model", "fuel", "found"),
    [
        # letter case, accents, hyphens, spaces
        ("vOLKSWAGEN", "GÖLF", "petrol", "Volkswagen Golf"),
        ("Mercedes-Benz", "SL-Class", "petrol", "Mercedes-Benz SL CLASS"),
        ("Hyundai", "i 10", "petrol", "Hyundai I10"),
        ("Ford", "CMax", "petrol", "Ford C-MAX"),
        ("Ford", "ka +", "petrol", "Ford Ka+"),
        ("Ford", "Ka", "petrol", "Ford KA"),
        # aliases
        ("VW", "Polo", "petrol", "Volkswagen Polo"),
        ("Mercedes", "C Class", "petrol", "Mercedes-Benz C Class"),
        ("Citroen", "C4", "petrol", "Citroën C4"),
        # slips
        ("Volkswagon", "Tigaun", "petrol", "Volkswagen Tiguan"),
        ("Frod", "Fiessta", "petrol", "Ford Fiesta"),
        ("BMV", "X3", "petrol", "BMW X3"),
        ("Toyota", "Lnad Cruiser", "petrol", "Toyota Land Cruiser"),
        ("Ford", "Grnad C-MAX", "petrol", "Ford Grand C-MAX"),
        ("VW", "Tiguan Alspace", "petrol", "Volkswagen Tiguan Allspace"),
        # words swapped or missing
        ("Toyota", "Cruiser, Land", "petrol", "Toyota Land Cruiser"),
        ("Vauxhall", "Crossland", "petrol", "Vauxhall Crossland X"),
        # the brand in the model's field, both swapped, the brand missing
        ("", "VW Golf 7", "petrol", "Volkswagen Golf"),
        ("Volkswagen", "Volkswagen Golf", "petrol", "Volkswagen Golf"),
        ("Volkswagen Golf", "", "petrol", "Volkswagen Golf"),
        ("Focus", "Ford", "petrol", "Ford Focus"),
        ("Polo", "Volkswagn", "petrol", "Volkswagen Polo"),
        ("-", "Berlingo", "petrol", "Citroën Berlingo"),
        # class and series in other languages, and type codes
        ("Mercedes", "Classe A", "essence", "Mercedes-Benz A Class"),
        ("Mercedes", "Clase A", "gasolina", "Mercedes-Benz A Class"),
        ("Mercedes", "A-Klasse", "Benzin", "Mercedes-Benz A Class"),
        ("Mercedes", "C 220 d", "diesel", "Mercedes-Benz C Class"),
        ("Mercedes", "ML 350", "diesel", "Mercedes-Benz M Class"),
        ("Mercedes", "A Classs", "petrol", "Mercedes-Benz A Class"),
        ("BMW", "3er", "Diesel", "BMW 3 Series"),
        ("BMW", "Série 3 320d", "gazole", "BMW 3 Series"),
        ("BMW", "118i", "petrol", "BMW 1 Series"),
        ("Mazda", "3", "petrol", "Mazda Mazda3"),
        ("Mazda", "Mazda 2", "petrol", "Mazda 2"),
        # words that say something else of the car
        ("Volkswagen", "Golf 1.6 TDI Match", "diesel", "Volkswagen Golf"),
        ("VW", "Golf VII 5 portes", "essence", "Volkswagen Golf"),
        ("Renault", "Clio IV dCi 90", "diesel", "Renault Clio"),
        ("Audi", "A3 Sportback 35 TFSI S line", "essence", "Audi A3"),
        ("Peugeot", "Nouvelle 208 1.2 PureTech 110", "essence", "Peugeot 208"),
    ],
)  # fmt: skip
def test_a_description_finds_its_model(brand: str, model: str, fuel: str, found: str) -> None:
    best = MATCHER.best(a_description(brand, model, fuel))

    assert f"{best.entry.brand} {best.entry.model}" == found


@pytest.mark.parametrize(
    ("brand", "model"),
    [
        ("Audi", "A2"),  # the digits of a name never give way
        ("Audi", "Q4"),
        ("Hyundai", "i25"),
        ("Peugeot", "508"),
        ("Peugeot", "3008"),
        ("BMW", "X2"),
        ("Peugeot", "Golf"),
        ("Opel", "Corsa"),
        ("Seat", "C3"),  # not Fiat, not Citroën
        ("Honda", "Kona"),
        ("Ford", "Mercedes A Class"),  # two brands
        ("Citroën", "C3 Aircross"),  # a model of its own that the catalogue does not know
        ("VW", "Golf Plus"),
        ("VW", "Zzyzx"),
        ("VW", ""),
        ("", ""),
        ("", "!!!"),
        ("🚗", "🚙"),
    ],
)
def test_another_car_is_refused(brand: str, model: str) -> None:
    with pytest.raises(NoMatch):
        MATCHER.best(a_description(brand, model))


@pytest.mark.parametrize(
    ("brand", "model", "rivals"),
    [
        ("Vauxhall", "Mokka Z", {"Mokka", "Mokka X"}),
        ("VW", "Golf VS", {"Golf", "Golf SV"}),
        ("Toyota", "Yaris Verso", {"Yaris", "Verso"}),
        ("Peugeot", "208 308", {"208", "308"}),
    ],
)
def test_two_models_as_close_are_not_decided(brand: str, model: str, rivals: set[str]) -> None:
    result = MATCHER.match(a_description(brand, model))

    assert result.best is None
    assert isinstance(result.problem, AmbiguousMatch)
    assert rivals <= {candidate.entry.model for candidate in result.candidates}


def test_a_refusal_asks_for_the_nearest_model() -> None:
    with pytest.raises(NoMatch, match=r"did you mean .*Renault Captur") as refused:
        MATCHER.best(a_description("Renault", "Captivate"))

    assert refused.value.path == ("model",)


def test_a_missing_brand_is_refused_at_its_field() -> None:
    with pytest.raises(NoMatch, match="no brand 'Opel'") as refused:
        MATCHER.best(a_description("Opel", "Crossland"))

    assert refused.value.path == ("brand",)


@pytest.mark.parametrize("text", ["TDI", "petrol or diesel", "", "gas", "x" * 100_000])
def test_a_fuel_that_is_not_understood_is_invalid_at_its_path(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        MATCHER.best(a_description("VW", "Golf", text))

    assert refused.value.path == ("fuel",)


def test_a_gearbox_that_is_not_understood_is_invalid_at_its_path() -> None:
    with pytest.raises(Invalid) as refused:
        MATCHER.best(a_description("VW", "Golf", gearbox="magic"))

    assert refused.value.path == ("gearbox",)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(Refusals) as refused:
        MATCHER.best(a_description("VW", "Zzyzx", "kerosene", gearbox="magic"))

    assert [each.path[0] for each in refused.value.refusals] == ["fuel", "gearbox", "model"]


@pytest.mark.parametrize(
    ("model", "fuel", "given"),
    [
        ("Golf 1.6 TDI", "petrol", {}),
        ("Golf TSI", "diesel", {}),
        ("Golf Diesel", "petrol", {}),
        ("Golf", "petrol", {"version": "2.0 TDI 150"}),
        ("Golf", "petrol", {"engine": "1.9 TDI"}),
    ],
)
def test_an_engine_that_contradicts_the_fuel_is_not_resolved(
    model: str, fuel: str, given: dict[str, str]
) -> None:
    with pytest.raises(Invalid, match="does not go with it") as refused:
        MATCHER.best(a_description("VW", model, fuel, **given))

    assert refused.value.path == ("fuel",)


def test_a_car_never_becomes_one_of_another_fuel() -> None:
    with pytest.raises(NoMatch, match="petrol or diesel, not as electric") as refused:
        MATCHER.best(a_description("VW", "Golf", "electric"))

    assert refused.value.path == ("fuel",)


def test_a_plug_in_hybrid_may_stand_for_a_hybrid_and_says_so() -> None:
    best = MATCHER.best(a_description("Toyota", "Prius", "plug-in hybrid"))

    assert best.entry.fuel is Fuel.HYBRID
    assert best.corrections == (Correction("fuel", "plug-in hybrid", "HYBRID"),)
    assert best.score < 0.95


def test_corrections_name_every_field_that_differed() -> None:
    best = MATCHER.best(a_description("VW", "Gollf", "Benzni", gearbox="automatc"))

    assert best.corrections == (
        Correction("brand", "VW", "Volkswagen"),
        Correction("model", "Gollf", "Golf"),
        Correction("fuel", "Benzni", "PETROL"),
        Correction("gearbox", "automatc", "AUTOMATIC"),
    )
    assert best.gearbox is Gearbox.AUTOMATIC


def test_another_language_is_no_correction() -> None:
    best = MATCHER.best(a_description("Citroën", "C4", "essence", gearbox="Boîte manuelle"))

    assert (best.score, best.corrections) == (1.0, ())


# ---------------------------------------------------------------- which entry of a model


def golf(number: int, fuel: Fuel = P, **known: object) -> CatalogueEntry:
    return CatalogueEntry(number, "Volkswagen", "Golf", fuel, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "given"),
    [
        ({"gearbox": Gearbox.AUTOMATIC}, {"gearbox": "BVA6"}),
        ({"engine_cc": 1984}, {"engine_cc": 1995}),
        ({"horsepower": 150}, {"horsepower": 150}),
        ({"doors": 5}, {"doors": 5}),
        ({"version": "2.0 TSI R-Line"}, {"version": "R Line 2.0"}),
        ({"version": "2.0 TSI R-Line"}, {"model": "Golf R-Line"}),
        ({"trim": "Match"}, {"trim": "MATCH"}),
        ({"first_year": 2017, "last_year": 2019}, {}),
    ],
)
def test_the_entry_that_agrees_best_is_taken(
    known: dict[str, object], given: dict[str, object]
) -> None:
    other = {"gearbox": Gearbox.MANUAL, "engine_cc": 1395, "horsepower": 122, "doors": 3}
    other |= {"version": "1.4 TSI S", "trim": "S", "first_year": 2010, "last_year": 2012}
    common = golf(1, seen=500, **{field: other[field] for field in known})
    rare = golf(2, seen=1, **known)

    description = a_description("VW", **{"model": "Golf"} | given)  # type: ignore[arg-type]

    assert Matcher([common, rare]).best(description).entry is rare


def test_of_entries_that_agree_equally_the_most_seen_is_taken() -> None:
    entries = [
        golf(1, doors=3, seen=10),
        golf(2, doors=5, seen=90),
        golf(3, engine_cc=1395, seen=90),
    ]

    best = Matcher(entries).best(a_description("VW", "Golf"))

    assert best.entry.id == 2


def test_a_version_is_found_among_thousands() -> None:
    entries = [
        golf(number, version=f"Edition {number}", seen=9_999 - number) for number in range(3_000)
    ]

    best = Matcher(entries).best(a_description("Volkswagen", "Golf", version="edition 2718"))

    assert (best.entry.id, best.score) == (2_718, 1.0)


def test_a_given_number_that_differs_costs_score_and_is_told() -> None:
    matcher = Matcher([golf(1, engine_cc=1968, doors=5)])

    best = matcher.best(a_description("Volkswagen", "Golf", engine_cc=1600, doors=5))

    assert best.corrections == (Correction("engineCc", "1600", "1968"),)
    assert 0.9 < best.score < 1


def test_the_candidates_of_a_clear_model_are_its_entries_best_first() -> None:
    result = MATCHER.match(a_description("VW", "Golf"), limit=2)

    assert result.best == result.candidates[0]
    assert len(result.candidates) <= 2


def test_an_empty_catalogue_matches_nothing() -> None:
    with pytest.raises(NoMatch):
        Matcher([]).best(a_description("VW", "Golf"))
