"""``python -m api.cli``: the same as `forecourt`."""

from api.cli import main

main()
