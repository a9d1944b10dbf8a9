"""Run drgsim from a checkout: ``python cli.py group ...`` is the same program as the installed ``drgsim``."""

from drgsim.__main__ import main

if __name__ == "__main__":
    main()
