"""Hospital budgets under BJ-GBI (总额预算管理): index, quality, sharing and cash, a model where no formula is public."""
