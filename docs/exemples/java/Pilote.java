import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Pilote Poinçon en Java 17, sans dépendance ni compilation : « java Pilote.java ».
 *
 * Une ligne de JSON entre, une ligne de JSON sort, jusqu'à la fin de l'entrée standard : il convient aux deux modes,
 * one-shot et persistent. Tout autre texte va sur System.err. Format : docs/formats/run.md, « Drivers ».
 */
public class Pilote {

    /** texte : la consigne ; donnees : les valeurs par nom ; adresses : celles de la session, par genre de message. */
    static Map<String, Object> agir(String texte, Map<String, Object> donnees, Map<String, Object> adresses) {
        // ── À VOUS : appelez ici votre logiciel, attendez qu'il ait fini, lisez son écran. ──────────────────────
        // String nir = (String) donnees.get("nir");
        // String idb = (String) adresses.get("IDB");
        // return reponse("accepted", "ce que l'utilisateur lit");
        return reponse("failed", "Le pilote n'appelle encore aucun logiciel.");
        // ────────────────────────────────────────────────────────────────────────────────────────────────────────
    }

    static Map<String, Object> reponse(String issue, String message) {
        Map<String, Object> reponse = new LinkedHashMap<>();
        reponse.put("outcome", issue);
        reponse.put("message", message);
        return reponse;
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        BufferedReader entree = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream sortie = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String ligne = entree.readLine(); ligne != null; ligne = entree.readLine()) {
            Map<String, Object> reponse;
            try {
                Map<String, Object> consigne = new Lecteur(ligne).objet();
                reponse = agir((String) consigne.get("text"), (Map<String, Object>) consigne.get("data"),
                        (Map<String, Object>) consigne.get("endpoints"));
            } catch (Exception erreur) {
                reponse = reponse("failed", erreur.toString());
            }
            sortie.print(ecrit(reponse) + "\n");
            sortie.flush();
        }
    }

    /** Écrit en JSON des textes, et des objets de textes. */
    static String ecrit(Object valeur) {
        StringBuilder texte = new StringBuilder();
        if (valeur instanceof Map<?, ?> objet) {
            texte.append('{');
            for (Map.Entry<?, ?> membre : objet.entrySet()) {
                if (texte.length() > 1) {
                    texte.append(',');
                }
                texte.append(ecrit(membre.getKey())).append(':').append(ecrit(membre.getValue()));
            }
            return texte.append('}').toString();
        }
        texte.append('"');
        for (char lettre : String.valueOf(valeur).toCharArray()) {
            if (lettre == '"' || lettre == '\\') {
                texte.append('\\').append(lettre);
            } else if (lettre < ' ') {
                texte.append(String.format("\\u%04x", (int) lettre));
            } else {
                texte.append(lettre);
            }
        }
        return texte.append('"').toString();
    }

    /** Lit une consigne : du JSON où il n'y a que des objets, des textes et des nombres entiers. */
    static class Lecteur {
        private final String texte;
        private int place = 0;

        Lecteur(String texte) {
            this.texte = texte;
        }

        Map<String, Object> objet() {
            Map<String, Object> objet = new LinkedHashMap<>();
            attend('{');
            if (suivant() == '}') {
                place++;
                return objet;
            }
            while (true) {
                String nom = chaine();
                attend(':');
                objet.put(nom, switch (suivant()) {
                    case '{' -> objet();
                    case '"' -> chaine();
                    default -> nombre();
                });
                if (suivant() == '}') {
                    place++;
                    return objet;
                }
                attend(',');
            }
        }

        private String chaine() {
            attend('"');
            StringBuilder lu = new StringBuilder();
            while (texte.charAt(place) != '"') {
                char lettre = texte.charAt(place++);
                if (lettre != '\\') {
                    lu.append(lettre);
                    continue;
                }
                lettre = texte.charAt(place++);
                switch (lettre) {
                    case 'n' -> lu.append('\n');
                    case 't' -> lu.append('\t');
                    case 'r' -> lu.append('\r');
                    case 'b' -> lu.append('\b');
                    case 'f' -> lu.append('\f');
                    case 'u' -> {
                        lu.append((char) Integer.parseInt(texte.substring(place, place + 4), 16));
                        place += 4;
                    }
                    default -> lu.append(lettre);
                }
            }
            place++;
            return lu.toString();
        }

        private Object nombre() {
            int debut = place;
            while (place < texte.length() && "-0123456789".indexOf(texte.charAt(place)) >= 0) {
                place++;
            }
            return Long.parseLong(texte.substring(debut, place));
        }

        private char suivant() {
            while (Character.isWhitespace(texte.charAt(place))) {
                place++;
            }
            return texte.charAt(place);
        }

        private void attend(char signe) {
            if (suivant() != signe) {
                throw new IllegalArgumentException("JSON : « " + signe + " » attendu à la place " + place);
            }
            place++;
        }
    }
}
