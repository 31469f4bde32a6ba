"""`python -m optimizer` is `optimize`."""


def start() -> None:
    """Run the command line; a signal that comes while it is loaded or at its end shows no traceback."""
    try:
        from optimizer.cli import ending

        ending.listen()
        from optimizer.cli.main import main

        main()
    except KeyboardInterrupt:
        from optimizer.cli import ending

        ending.end(ending.INTERRUPTED)


if __name__ == "__main__":
    start()
