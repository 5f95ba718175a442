package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.ApiKey;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.accounts.Session;
import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.limits.Usage;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Accounts, keys and whoever asks, as JSON. */
final class AccountJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private AccountJson() {}

    static ObjectNode of(Account account) {
        ObjectNode json = JSON.objectNode().put("id", account.id()).put("email", account.email());
        json.put("name", account.name()).put("role", account.role().word());
        json.put("has_password", account.hasPassword());
        return json.put("disabled", account.disabled()).put("created_at", time(account.createdAt()));
    }

    /** @param usage of the key that was brought, if one was */
    static ObjectNode of(Principal principal, Usage usage, long now) {
        ObjectNode json = JSON.objectNode();
        Account account = principal.account();
        json.set("account", account == null ? JSON.nullNode() : of(account));
        json.put("user_id", principal.userId());
        json.put("signed_in_by", principal.by().word());
        json.set("scopes", scopes(principal.scopes()));
        Session session = principal.session();
        json.put("csrf_token", session == null ? null : session.csrfToken());
        json.put("expires_at", session == null ? null : time(session.expiresAt()));
        ApiKey key = principal.key();
        if (key != null) {
            json.set("key", of(key, usage, now));
        }
        return json;
    }

    static ObjectNode of(ApiKey key, Usage usage, long now) {
        ObjectNode json = JSON.objectNode().put("id", key.id()).put("name", key.name());
        json.put("hint", key.hint()).put("user_id", key.userId());
        json.set("scopes", scopes(key.scopes()));
        json.set("limits", limits(key.quota()));
        json.put("status", key.status(now).word()).put("created_at", time(key.createdAt()));
        json.put("expires_at", orNull(key.expiresAt())).put("revoked_at", orNull(key.revokedAt()));
        json.put("last_used_at", orNull(usage.lastUsedAt()));
        put(json.putObject("usage"), usage);
        return json;
    }

    /** Adds what was used. */
    static ObjectNode put(ObjectNode json, Usage usage) {
        return json.put("requests", usage.requests())
                .put("prompt_tokens", usage.promptTokens())
                .put("cached_tokens", usage.cachedTokens())
                .put("completion_tokens", usage.completionTokens());
    }

    private static ObjectNode limits(Quota quota) {
        return JSON.objectNode()
                .put("requests_per_minute", quota.requestsPerMinute() == 0 ? null : quota.requestsPerMinute())
                .put("tokens_per_minute", quota.tokensPerMinute() == 0 ? null : quota.tokensPerMinute())
                .put("parallel", quota.parallel() == 0 ? null : quota.parallel());
    }

    private static ArrayNode scopes(Set<Scope> scopes) {
        ArrayNode words = JSON.arrayNode();
        new TreeSet<>(scopes).forEach(scope -> words.add(scope.word()));
        return words;
    }

    static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }

    static @Nullable String orNull(long millis) {
        return millis == 0 ? null : time(millis);
    }
}
