DROP TABLE city_images;
DROP TABLE tour_images;
DROP TABLE tours;
