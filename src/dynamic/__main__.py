"""`python -m dynamic` is the command line."""

from dynamic.app.cli import main

if __name__ == "__main__":
    main()
