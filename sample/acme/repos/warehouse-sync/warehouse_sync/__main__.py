"""Exchanges files with the warehouse. Yes, files. Yes, over SFTP."""


def main() -> None:
    print("nothing to do")


if __name__ == "__main__":
    main()
