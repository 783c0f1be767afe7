INSERT INTO public.hotel (id,"name",opened,rate) VALUES
	 (1,'Alpha','2020-01-01',1.5),
	 (2,'Beta''s','2021-05-06',NULL);
INSERT INTO public.hotel (id,"name",opened,rate) VALUES
	 (3,'Gamma',NULL,10.25);
