select date_trunc('week', placed_at) as week, count(*) as orders
from orders
group by 1
