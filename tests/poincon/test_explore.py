import pytest
from front_doors import *
def test_x(practice, complete_run, call, tmp_path):
    r = complete_run.folder; F=open("/tmp/fd/explore.txt","w")
    for argv in [
      ("norms","list"),("norms","show","annuaire/1.0"),("norms","check"),("suite","coverage","annuaire/1.0"),("suite","ledger","annuaire/1.0"),
      ("sandbox","population","annuaire/1.0"),("sandbox","population","annuaire/1.0","--csv"),
      ("sut","check",complete_run.sut),("sut","init","ville/1.1","--out",tmp_path/"a.yaml"),
      ("rejudge",r),("rejudge",r,"--json"),("report",r,"--format","junit","--out",tmp_path/"j.xml"),
      ("report",r,"--format","allure","--out",tmp_path/"al"),("report",r,"--format","html","--out",tmp_path/"h.html"),
      ("report",r,"--format","pdf","--out",tmp_path/"h.pdf"),
      ("certify",r,"--out",tmp_path/"c.xml"),("verify",tmp_path/"c.xml"),("verify",tmp_path/"c.xml","--authority",practice.pki.authority,"--run",r),
      ("verify",tmp_path/"c.xml","--authority",practice.pki.authority,"--json"),
      ("run","--sut",practice.declared(tmp_path/"f.yaml",world="without-relation"),"--select","VIL-S-00*","--out",tmp_path/"frun"),
      ("certify",tmp_path/"frun"),
      ("run","--sut",practice.declared(tmp_path/"m.yaml",world="mute"),"--select","VIL-S-00*","--out",tmp_path/"mrun"),
      ("replay",r,"VIL-S-003","--sut",complete_run.sut),
      ("kill-rate","annuaire/1.0","--only","F-GEN-03","--only","V-PREFIXES","--json"),
      ("check",complete_run.norm.root/"messages"/"IDB.request.xml"),
      ("check",complete_run.norm.root/"examples"/"invalid"),
      ("norms","list","--json"),
    ]:
        t = call(*argv)
        F.write(f"===== {argv[0]} {argv[1:]} -> {t.code}\n{t.out[:1500]}\n--err: {t.err[:1500]}\n")
    assert 0
