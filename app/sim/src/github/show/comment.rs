//! Comments and reactions.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github::model::{Comment, Reaction, Repository};

impl View<'_> {
    pub(crate) fn comment(self, repository: &Repository, comment: &Comment) -> Value {
        let url = format!("{}/issues/comments/{}", self.repository_api(repository), comment.id);
        let kind = if repository.pulls.contains_key(&comment.pull) { "pull" } else { "issues" };
        let web = format!("{}/{kind}/{}", self.repository_web(repository), comment.pull);
        let by_app = (comment.author == self.world.app.bot()).then(|| self.app());
        json!({
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": url,
            "html_url": format!("{web}#issuecomment-{}", comment.id),
            "issue_url": format!("{}/issues/{}", self.repository_api(repository), comment.pull),
            "user": self.user(&comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": self.association(repository, &comment.author),
            "performed_via_github_app": by_app,
            "reactions": reactions(&format!("{url}/reactions"), &comment.reactions),
        })
    }

    pub(crate) fn reaction(self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": node_id("REA", reaction.id),
            "user": self.user(&reaction.user),
            "content": reaction.content,
            "created_at": reaction.created_at,
        })
    }
}

pub(super) fn reactions(url: &str, reactions: &[Reaction]) -> Value {
    let mut shown = json!({ "url": url, "total_count": reactions.len() });
    for content in ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"] {
        shown[content] =
            reactions.iter().filter(|reaction| reaction.content == content).count().into();
    }
    shown
}
