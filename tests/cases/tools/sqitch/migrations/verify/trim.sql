-- Verify yard:trim on pg

BEGIN;

-- XXX Add verifications here.

ROLLBACK;
