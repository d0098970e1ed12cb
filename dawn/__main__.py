"""`python -m dawn …`"""

import sys

from dawn.cli import main

sys.exit(main(sys.argv[1:]))
