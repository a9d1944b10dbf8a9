"""``python -m drgsim`` is the same program as ``drgsim``."""

from drgsim.cli.main import main

main()
