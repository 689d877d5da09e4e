"""A product of role client built on a stranger's toolkit: `lps_foreign.py TOOLKIT [wrong-identity]`.

It signs nothing and knows no header: it fills the body of the request for rights and reads the answer. wrong-identity:
it sends another birth date than it was told.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

from foreign_clients import toolkit


def rights(data: dict[str, str]) -> dict[str, Any]:
    return {
        "Version": "1.1",
        "Professionnel": {
            "IdentifiantFacturation": data["identifiant_facturation"],
            "Rpps": data["rpps"],
            "CodeSpecialite": data["specialite"],
        },
        "Beneficiaire": {
            "Nir": data["nir"],
            "CleNir": data["cle_nir"],
            "DateNaissance": data["date_naissance"],
            "RangGemellaire": data["rang"],
        },
        "Couverture": {
            "NumeroAMC": data["numero_amc"],
            "TypeConvention": data["type_convention"],
            "CritereSecondaire": data["critere_secondaire"],
            "NumeroAdherent": data["numero_adherent"],
        },
        "DateReference": data.get("date", date.today().isoformat()),
        "NatureAssurance": "AS",
        "Prestations": {"CodePrestation": [data["acte"]]},
    }


def outcome(said: dict[str, Any]) -> dict[str, Any]:
    if "fault" in said:
        return {"outcome": "stopped", "message": said["fault"]}
    result = said["answer"]["Resultat"]
    return {"outcome": "accepted" if result["Code"] == "00" else "refused", "message": result["Libelle"]}


def main() -> None:
    asking, wrong = toolkit(sys.argv[1]), "wrong-identity" in sys.argv
    for line in sys.stdin:
        stimulus = json.loads(line)
        data = stimulus["data"] | ({"date_naissance": "1901-01-01"} if wrong else {})
        said = asking.ask(f"{stimulus['endpoints']['IDB']}?wsdl", "informerDroits", rights(data))
        print(json.dumps(outcome(said)), flush=True)


if __name__ == "__main__":
    main()
