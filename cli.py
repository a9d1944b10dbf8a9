"""Run drgsim from a checkout: ``python cli.py group ...`` is the same program as the installed ``drgsim``."""

from drgsim.cli.main import main

if __name__ == "__main__":
    main()
