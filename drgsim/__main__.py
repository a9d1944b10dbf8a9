"""The program ``drgsim``, and ``python -m drgsim``: signals are answered before the rest of it is loaded."""

from drgsim.cli.early_signals import ended_at_once


def main() -> None:
    """Load the program and run it."""
    with ended_at_once():
        from drgsim.cli.main import main as program

        program()


if __name__ == "__main__":
    main()
