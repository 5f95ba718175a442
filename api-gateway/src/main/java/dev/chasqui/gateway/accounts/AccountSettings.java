package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import java.util.List;

/**
 * Who is let in.
 *
 * @param enabled whether there are accounts
 * @param registrationOpen whether anybody can make himself an account; the first one always can
 * @param operatorKeys each is good for everything
 * @param quota what keys without limits of their own, and accounts, may take
 */
public record AccountSettings(boolean enabled, boolean registrationOpen, List<String> operatorKeys, Quota quota) {
    public AccountSettings {
        operatorKeys = List.copyOf(operatorKeys);
    }

    /** Whether nobody is let in without showing who he is. */
    boolean guarded() {
        return enabled || !operatorKeys.isEmpty();
    }

    /** Whether an account and all of its keys have one limit together. */
    boolean countsTogether(Account owner) {
        return owner.role() == Account.Role.USER && !quota.isNone();
    }

    /** Keys stay out of logs. */
    @Override
    public String toString() {
        return "AccountSettings[" + (enabled ? "accounts" : "no accounts") + ", " + operatorKeys.size() + " keys]";
    }
}
