import sys

try:
    from forensics.cli import main

    main()
except KeyboardInterrupt:  # while the kit was still being loaded
    sys.exit(2)
