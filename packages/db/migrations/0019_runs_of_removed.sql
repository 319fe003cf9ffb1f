ALTER TABLE "runs" DROP CONSTRAINT "runs_dataset_datasets_name_fk";
