--liquibase formatted sql

--changeset ann:2
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);
--rollback SELECT 1;
