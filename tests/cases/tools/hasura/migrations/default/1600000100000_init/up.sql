create table notice (id int primary key);
