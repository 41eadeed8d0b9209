-- Clients that are still to be told that a login of theirs is over. Neither person nor family need be there any more.
CREATE TABLE logout_notice (
    realm TEXT NOT NULL,
    family UUID NOT NULL,
    client UUID NOT NULL,
    subject TEXT NOT NULL,
    ended BIGINT NOT NULL,
    due BIGINT NOT NULL,
    wait BIGINT NOT NULL,
    PRIMARY KEY (realm, family)
);
CREATE INDEX logout_notice_by_due ON logout_notice (due);
