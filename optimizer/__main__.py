"""`python -m optimizer` is `optimize`."""

from optimizer.cli.main import main

if __name__ == "__main__":
    main()
