"""Pilote Poinçon, lancé une seule fois (mode: persistent) : pour un logiciel long à démarrer. Python 3.9 ou plus.

Une ligne de JSON entre, une ligne de JSON sort, jusqu'à la fin de l'entrée standard. Rien d'autre ne part sur la sortie
standard : le laboratoire refuse une ligne de trop, qui serait prise pour la réponse à la consigne suivante.
"""

import json
import sys


class Logiciel:
    """Le logiciel éprouvé, ouvert pour toute l'exécution."""

    def __init__(self):
        # ── À VOUS : démarrez ici votre logiciel. ────────────────────────────────────────────────────────────
        self.consignes = 0

    def agir(self, texte, donnees, adresses):
        # ── À VOUS : faites-le agir, attendez qu'il ait fini, lisez son écran. ───────────────────────────────
        # return {"outcome": "refused", "message": "Droits clos (03)"}
        self.consignes += 1
        message = f"Consigne {self.consignes} : le pilote n'appelle encore aucun logiciel."
        return {"outcome": "failed", "message": message}

    def fermer(self):
        # ── À VOUS : arrêtez-le. Ce que le pilote a lancé est de toute façon arrêté avec lui. ────────────────
        pass


def main():
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    logiciel = Logiciel()
    try:
        for ligne in sys.stdin:
            consigne = json.loads(ligne)
            try:
                reponse = logiciel.agir(consigne["text"], consigne["data"], consigne["endpoints"])
            except Exception as erreur:
                reponse = {"outcome": "failed", "message": f"{type(erreur).__name__} : {erreur}"}
            print(json.dumps(reponse, ensure_ascii=False), flush=True)
    finally:
        logiciel.fermer()


if __name__ == "__main__":
    main()
