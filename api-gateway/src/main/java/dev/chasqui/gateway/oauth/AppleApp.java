package dev.chasqui.gateway.oauth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.ECDSASigner;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A service of Apple's "Sign in with Apple".
 *
 * @param clientId the services' identifier
 * @param secret what shows that we are it
 * @param redirectUri where Apple sends browsers back to: this server's callback, as browsers reach it
 * @param authUrl where people sign in
 * @param tokenUrl where a code becomes a token
 * @param keysUrl the keys that Apple signs with
 */
public record AppleApp(
        String clientId, Secret secret, String redirectUri, String authUrl, String tokenUrl, String keysUrl) {
    /**
     * Apple wants a token that is signed with a key of the team's and is good for half a year at most.
     *
     * @param key null: the token is made elsewhere
     * @param readyMade empty: it is made with the key
     */
    public record Secret(
            String teamId, String keyId, @Nullable ECPrivateKey key, String readyMade) {
        /** One that was made elsewhere. */
        public static Secret readyMade(String token) {
            return new Secret("", "", null, token);
        }

        /**
         * One that is made anew each time.
         *
         * @param pem the key as Apple gives it: PKCS#8 in PEM
         * @throws IllegalArgumentException where it is no such key
         */
        public static Secret signed(String teamId, String keyId, String pem) {
            try {
                String base64 = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\\\n|\\s", "");
                PKCS8EncodedKeySpec key =
                        new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
                ECPrivateKey read = (ECPrivateKey) KeyFactory.getInstance("EC").generatePrivate(key);
                if (!new ECDSASigner(read).supportedJWSAlgorithms().contains(JWSAlgorithm.ES256)) {
                    throw new IllegalArgumentException("a key of another curve");
                }
                return new Secret(teamId, keyId, read, "");
            } catch (GeneralSecurityException | JOSEException | IllegalArgumentException unusable) {
                // What is said of it may quote it.
                throw new IllegalArgumentException(
                        "not readable (expected: a private key for ES256 in PEM, as Apple's .p8 file has it)");
            }
        }

        /** It stays out of logs. */
        @Override
        public String toString() {
            return "Secret";
        }
    }
}
