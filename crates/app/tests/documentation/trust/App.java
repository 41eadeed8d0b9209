import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Java's own client, which trusts what javax.net.ssl.trustStore names. */
class App {
    public static void main(String[] arguments) throws Exception {
        var document = URI.create(System.getenv("AUTHORITY") + "/realms/main/.well-known/openid-configuration");
        var answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(document).build(), BodyHandlers.ofString());
        System.out.println(answer.body().replaceFirst("(?s).*\"issuer\":\\s*\"([^\"]*)\".*", "$1"));
    }
}
