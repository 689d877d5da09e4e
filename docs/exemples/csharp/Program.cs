// Pilote Poinçon en C# (.NET 8), sans dépendance : « dotnet run --project . » ou l'exécutable publié.
//
// Une ligne de JSON entre, une ligne de JSON sort, jusqu'à la fin de l'entrée standard : il convient aux deux modes,
// one-shot et persistent. Tout autre texte va sur Console.Error. Format : docs/formats/run.md, « Drivers ».

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

var sansMarque = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
using var entree = new StreamReader(Console.OpenStandardInput(), sansMarque);
using var sortie = new StreamWriter(Console.OpenStandardOutput(), sansMarque) { AutoFlush = true, NewLine = "\n" };
var ecriture = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

while (entree.ReadLine() is { } ligne)
{
    Reponse reponse;
    try
    {
        var consigne = JsonSerializer.Deserialize<Consigne>(ligne)!;
        reponse = Agir(consigne.text, consigne.data, consigne.endpoints);
    }
    catch (Exception erreur)
    {
        reponse = new Reponse("failed", $"{erreur.GetType().Name} : {erreur.Message}", new());
    }
    sortie.WriteLine(JsonSerializer.Serialize(reponse, ecriture));
}

// texte : la consigne ; donnees : les valeurs par nom ; adresses : celles de la session, par genre de message.
static Reponse Agir(string texte, Dictionary<string, string> donnees, Dictionary<string, string> adresses)
{
    // ── À VOUS : appelez ici votre logiciel, attendez qu'il ait fini, lisez son écran. ──────────────────────────
    // var nir = donnees["nir"];
    // var idb = adresses["IDB"];
    // return new Reponse("accepted", "ce que l'utilisateur lit", new() { ["total"] = "9.00" });
    return new Reponse("failed", "Le pilote n'appelle encore aucun logiciel.", new());
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────────
}

// Les noms sont ceux du JSON.
record Consigne(string text, Dictionary<string, string> data, Dictionary<string, string> endpoints);

record Reponse(string outcome, string message, Dictionary<string, string> amounts);
