<?php
// The shop that started it all.
require 'basket.php';
echo render_shop(current_basket());
