# Sends e-mail. Please do not add anything here.
module EmailSender
end
