import sys

try:
    from forensics.cli import main

    main()
except KeyboardInterrupt:  # while the kit was still being loaded
    sys.exit(2)
except ImportError as error:
    print(
        f"The kit cannot be loaded: there is no {error.name or 'library'}, or not all of it.\n"
        "Install what it runs on, in the kit's folder: pip install '.[all]'",
        file=sys.stderr,
    )
    sys.exit(2)
