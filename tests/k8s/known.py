"""Prints the resources that Kubernetes itself knows: kubernetes-validate has no schema for those of operators.

Which those may be is said here, so that a misspelt kind is not left out with them.
"""

import sys

import yaml

OF_OPERATORS = {
    # CloudNativePG: its operator refuses what does not fit when it is applied.
    ("postgresql.cnpg.io/v1", "Cluster"),
    ("postgresql.cnpg.io/v1", "Pooler"),
}

with open(sys.argv[1], encoding="utf-8") as built:
    resources = list(yaml.safe_load_all(built))
known = [one for one in resources if (one["apiVersion"], one["kind"]) not in OF_OPERATORS]
print(f"{len(resources)} resources, {len(resources) - len(known)} of operators", file=sys.stderr)
yaml.safe_dump_all(known, sys.stdout)
