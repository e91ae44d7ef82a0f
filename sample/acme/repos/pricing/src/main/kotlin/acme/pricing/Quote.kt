package acme.pricing

/** The price of one article for one customer, at this moment. */
data class Quote(val sku: String, val cents: Long, val currency: String)
