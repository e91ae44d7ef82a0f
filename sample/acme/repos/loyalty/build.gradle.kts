plugins {
    kotlin("jvm") version "2.1.0"
}
