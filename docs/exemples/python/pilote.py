"""Pilote Poinçon, lancé une fois par consigne (mode: one-shot). Python 3.9 ou plus, sans dépendance.

Une ligne de JSON arrive sur l'entrée standard, la consigne. Une ligne de JSON part sur la sortie standard, la réponse.
Tout autre texte va sur la sortie d'erreur. Format : docs/formats/run.md, « Drivers ».
"""

import json
import sys


def agir(texte, donnees, adresses):
    """Fait agir le logiciel et dit comment cela finit pour l'utilisateur.

    texte : la consigne en français ; donnees : les valeurs, par nom (action, bénéficiaire, acte, date …) ;
    adresses : les adresses de la session, par genre de message.
    """
    # ── À VOUS : appelez ici votre logiciel (interface de test, automate d'écran, service local …). ──────────────
    # 1. Donnez-lui les adresses de la session.           adresses["IDB"] …
    # 2. Faites ce que dit donnees["action"].             donnees["nir"], donnees["date_naissance"] …
    # 3. Attendez qu'il ait fini, et lisez son écran.
    # return {"outcome": "accepted", "message": "ce que l'utilisateur lit", "amounts": {"total": "9.00"}}
    return {"outcome": "failed", "message": "Le pilote n'appelle encore aucun logiciel."}
    # ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def main():
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    consigne = json.loads(sys.stdin.readline())
    try:
        reponse = agir(consigne["text"], consigne["data"], consigne["endpoints"])
    except Exception as erreur:  # le laboratoire doit apprendre que rien n'a été fait, et pourquoi
        reponse = {"outcome": "failed", "message": f"{type(erreur).__name__} : {erreur}"}
    print(json.dumps(reponse, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
