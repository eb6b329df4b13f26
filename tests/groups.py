# SPDX-License-Identifier: Apache-2.0
# The test groups, in the order they run: name, tier, minutes, what it proves, how. Read by tests/run.
# Tier 1: seconds, no JVM. Tier 2: in `make test`. Tier 3: only in `make test-all`.
GROUPS = [
    Group("unit", 1, 3, "every room's C programs, one by one", unit, in_san=True),
]
