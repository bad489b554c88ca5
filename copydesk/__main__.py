"""`python -m copydesk`."""

from copydesk.main import main

if __name__ == "__main__":
    main()
