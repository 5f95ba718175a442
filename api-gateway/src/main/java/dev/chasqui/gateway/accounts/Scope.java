package dev.chasqui.gateway.accounts;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** A part of what can be asked. */
public enum Scope {
    /** All that a model computes, in every dialect, and the list of models. */
    INFERENCE,
    /** Stored chats and their streams. */
    CONVERSATIONS,
    /** One's own keys. */
    KEYS,
    /** To fetch, load, unload and delete models. */
    MODELS,
    METRICS,
    /** Accounts, and everybody's keys. */
    ADMIN;

    /** All of them. */
    public static final Set<Scope> ALL = Set.copyOf(EnumSet.allOf(Scope.class));

    /** What whoever has an account may do. */
    public static final Set<Scope> OF_USERS = Set.of(INFERENCE, CONVERSATIONS, KEYS);

    /** As the wire and the database write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Its {@link #word}, which a command line reads and shows. */
    @Override
    public String toString() {
        return word();
    }

    /** @throws IllegalArgumentException where it is no scope's */
    public static Scope of(String word) {
        for (Scope scope : values()) {
            if (scope.word().equals(word)) {
                return scope;
            }
        }
        throw new IllegalArgumentException("no scope's");
    }

    static String words(Set<Scope> scopes) {
        return new TreeSet<>(scopes).stream().map(Scope::word).collect(Collectors.joining(" "));
    }

    static Set<Scope> parse(String words) {
        EnumSet<Scope> scopes = EnumSet.noneOf(Scope.class);
        for (String word : words.split(" ")) {
            scopes.add(of(word));
        }
        return Set.copyOf(scopes);
    }
}
