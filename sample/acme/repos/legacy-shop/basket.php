<?php
function current_basket() {
    return $_SESSION['basket'] ?? [];
}
