-- What everybody used in the last days.
CREATE INDEX usage_by_day_on_day ON usage_by_day (on_day);
