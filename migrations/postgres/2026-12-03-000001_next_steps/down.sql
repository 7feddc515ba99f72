DROP TABLE agreed_readings;
DROP TABLE next_steps;
