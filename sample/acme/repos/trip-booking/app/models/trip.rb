# A walk with a guide. It leaves in any weather but lightning.
class Trip < ApplicationRecord
  has_many :bookings
end
