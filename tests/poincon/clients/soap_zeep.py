"""zeep, as its documentation shows it. A line of JSON in: {wsdl, operation, body}; one out: {answer} or {fault}."""

from __future__ import annotations

import json
import sys

import zeep
from zeep.helpers import serialize_object


def main() -> None:
    asked = json.loads(sys.stdin.read())
    try:
        client = zeep.Client(asked["wsdl"])
        answer = client.service[asked["operation"]](**asked["body"])
        said = {"answer": serialize_object(getattr(answer, "body", answer), dict)}
    except (zeep.exceptions.Error, OSError) as fault:
        said = {"fault": str(fault)}
    print(json.dumps(said, default=str))


if __name__ == "__main__":
    main()
