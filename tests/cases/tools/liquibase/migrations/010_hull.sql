--liquibase formatted sql

--changeset ann:10
ALTER TABLE boats DROP COLUMN hull;
--rollback SELECT 1;
