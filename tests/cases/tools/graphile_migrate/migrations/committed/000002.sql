--! Previous: sha1:60322e4ad64b67cc63cd846335fa6de339efdca4
--! Hash: sha1:fc54a8b1967b17cf16e1357bdafbebb858a04c12

DELETE FROM boats WHERE id > 6;
