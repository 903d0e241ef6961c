-- Run once by the postgres image, on an empty volume, as its superuser, whom no other service knows.
-- Attune's records and Label Studio's tables: a database and a role each, and neither role may enter the other's.
\set ON_ERROR_STOP on
\getenv records_password RECORDS_PASSWORD
\getenv label_studio_password LABEL_STUDIO_DATABASE_PASSWORD

CREATE ROLE attune LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'records_password';
-- Label Studio works on 30 requests at once (attune_intake.py). Of PostgreSQL's 100 connections the others stay the records'.
CREATE ROLE label_studio LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 40
  PASSWORD :'label_studio_password';
CREATE DATABASE attune OWNER attune;
CREATE DATABASE label_studio OWNER label_studio;

-- Without this everybody may enter every database: PUBLIC has CONNECT on each that is made. Owners keep their own.
REVOKE ALL ON DATABASE attune, label_studio, postgres, template1 FROM PUBLIC;
