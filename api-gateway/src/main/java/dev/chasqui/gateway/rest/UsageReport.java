package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.ApiKey;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.limits.DayUse;
import dev.chasqui.gateway.limits.Usage;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What was used by whom, and on which day. What an account's keys took is told as theirs, and not once more as the account's. */
final class UsageReport {
    private record DayOf(String subject, long day) {}

    private final Map<String, ApiKey> keys = new HashMap<>();
    private final Map<String, Account> accounts = new HashMap<>();
    private final Map<Long, Usage> days = new TreeMap<>();
    private final Map<String, Usage> subjects = new HashMap<>();

    /** @param together accounts with which the use of their keys is counted too */
    UsageReport(List<ApiKey> keys, List<Account> accounts, List<DayUse> uses, Predicate<Account> together) {
        keys.forEach(key -> this.keys.put(key.id(), key));
        accounts.forEach(account -> this.accounts.put(account.id(), account));
        Map<DayOf, Usage> counted = new HashMap<>();
        for (DayUse use : uses) {
            ApiKey key = this.keys.get(use.subject());
            Account owner = key == null ? null : this.accounts.get(key.userId());
            if (owner != null && together.test(owner)) {
                counted.merge(new DayOf(owner.id(), use.day()), use.usage(), Usage::plus);
            }
        }
        for (DayUse use : uses) {
            Usage keysUse = counted.getOrDefault(new DayOf(use.subject(), use.day()), Usage.NONE);
            // Less than its keys took: it was counted when there was no common limit yet, and without them.
            Usage own = use.usage().tokens() < keysUse.tokens()
                    ? use.usage()
                    : use.usage().without(keysUse);
            if (own.requests() > 0 || own.tokens() > 0) {
                days.merge(use.day(), own, Usage::plus);
                subjects.merge(use.subject(), own, Usage::plus);
            }
        }
    }

    /**
     * As the wire writes it.
     *
     * @param first day since 1970
     * @param last the same
     */
    ObjectNode json(long first, long last) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("from", day(first)).put("to", day(last));
        ArrayNode byDay = json.putArray("days");
        days.forEach((day, usage) -> AccountJson.put(byDay.addObject().put("day", day(day)), usage));
        ArrayNode bySubject = json.putArray("by");
        subjects.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Usage> entry) ->
                                -entry.getValue().tokens())
                        .thenComparing(Map.Entry::getKey))
                .forEach(entry -> {
                    ObjectNode one = AccountJson.put(described(entry.getKey()), entry.getValue());
                    bySubject.add(one.put(
                            "last_used_at", AccountJson.orNull(entry.getValue().lastUsedAt())));
                });
        return json;
    }

    private ObjectNode described(String subject) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ApiKey key = keys.get(subject);
        Account account = accounts.get(subject);
        if (key != null) {
            return json.put("kind", "key").put("id", subject).put("name", key.name());
        }
        if (account != null) {
            String name = account.name().isEmpty() ? account.email() : account.name();
            return json.put("kind", "account").put("id", subject).put("name", name);
        }
        // What removed ones have used goes with them; what still ran then may have been written afterwards.
        String kind = subject.equals(Principal.LOCAL_USER) ? "local" : "removed";
        return json.put("kind", kind).put("id", subject).put("name", "");
    }

    private static String day(long day) {
        return LocalDate.ofEpochDay(day).toString();
    }
}
