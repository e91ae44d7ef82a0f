module "cluster_eu" {
  source = "./modules/cluster"
  region = "eu-north-1"
}
