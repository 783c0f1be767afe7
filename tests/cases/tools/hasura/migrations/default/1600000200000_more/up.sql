alter table notice add body text;
