-- Run once by the postgres image on an empty volume: Label Studio keeps its tables apart from the records.
CREATE DATABASE label_studio;
