delete from posts;
